package org.dl4jsr.kernel;

import java.lang.reflect.Field;
import sun.misc.Unsafe;

/**
 * Raw memory, as the Java kernels read and write it. Addresses need no alignment, but products on AMX lose half of their
 * speed for each factor that does not start at a multiple of {@value #ALIGNMENT}.
 */
public final class Memory {

    /** A line of the processor's cache, in bytes. */
    public static final int ALIGNMENT = 64;

    private static final Unsafe UNSAFE = unsafe();

    private Memory() {}

    /** {@code bytes}, a size or an address, rounded up to a multiple of {@value #ALIGNMENT}. */
    public static long aligned(long bytes) {
        return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }

    public static short getShort(long address) {
        return UNSAFE.getShort(address);
    }

    public static void putShort(long address, short value) {
        UNSAFE.putShort(address, value);
    }

    public static int getInt(long address) {
        return UNSAFE.getInt(address);
    }

    public static void putInt(long address, int value) {
        UNSAFE.putInt(address, value);
    }

    public static long getLong(long address) {
        return UNSAFE.getLong(address);
    }

    public static void putLong(long address, long value) {
        UNSAFE.putLong(address, value);
    }

    public static float getFloat(long address) {
        return UNSAFE.getFloat(address);
    }

    public static void putFloat(long address, float value) {
        UNSAFE.putFloat(address, value);
    }

    public static void copy(long source, long target, long bytes) {
        UNSAFE.copyMemory(source, target, bytes);
    }

    /** Fills {@code bytes} bytes with zeros. */
    public static void zero(long address, long bytes) {
        UNSAFE.setMemory(address, bytes, (byte) 0);
    }

    private static Unsafe unsafe() {
        try {
            Field field = Unsafe.class.getDeclaredField("theUnsafe");
            field.setAccessible(true);
            return (Unsafe) field.get(null);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }
}
