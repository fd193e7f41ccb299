package org.dl4jsr.parallel;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32C;
import java.util.zip.Checksum;
import org.bytedeco.javacpp.BytePointer;
import org.dl4jsr.kernel.Pointers;
import org.dl4jsr.op.Device;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The memory of flat, dense arrays as bytes. */
final class ArrayBytes {

    private static final int AT_ONCE = 1 << 20;

    private ArrayBytes() {}

    /** A view of memory. */
    static ByteBuffer at(long address, int bytes) {
        return new BytePointer(Pointers.at(address)).capacity(bytes).asByteBuffer();
    }

    /** The address of the first byte of a view of direct memory, whose position is 0. */
    static long address(ByteBuffer view) {
        return new BytePointer(view).address();
    }

    /** Has {@code checksum} see all of {@code array}. */
    static void update(Checksum checksum, Device device, INDArray array) {
        long address = device.hostAddress(array);
        long bytes = array.length() * array.dataType().width();
        for (long start = 0; start < bytes; start += AT_ONCE) {
            checksum.update(at(address + start, (int) Math.min(AT_ONCE, bytes - start)));
        }
    }

    /** Turns elements of {@code width} bytes, which are in native order, to big-endian, or back. */
    static void toBigEndian(byte[] elements, int width) {
        if (ByteOrder.nativeOrder() == ByteOrder.BIG_ENDIAN) {
            return;
        }
        for (int start = 0; start < elements.length; start += width) {
            for (int i = 0; i < width / 2; i++) {
                byte first = elements[start + i];
                elements[start + i] = elements[start + width - 1 - i];
                elements[start + width - 1 - i] = first;
            }
        }
    }

    static long crc(Device device, INDArray array) {
        var crc = new CRC32C();
        update(crc, device, array);
        return crc.getValue();
    }

    static long crc(String text) {
        var crc = new CRC32C();
        crc.update(text.getBytes(StandardCharsets.UTF_8));
        return crc.getValue();
    }
}
