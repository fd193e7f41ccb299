package org.dl4jsr.kernel;

import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;

/** JavaCPP's pointers by what version 1.5.7 has, too: a project that declares ND4J first gets that one. */
public final class Pointers {

    @SuppressWarnings({"unchecked", "rawtypes"}) // Java has no generic arrays
    private static final Class<? extends Pointer>[] OF_EVERY_CLASS = new Class[0];

    private Pointers() {}

    /** A pointer to {@code address}, of the host or of a GPU, that owns nothing. */
    public static Pointer at(long address) {
        return new Address(address);
    }

    /** A scope that frees every pointer created within; 1.5.7 has no constructor without arguments. */
    public static PointerScope scope() {
        return new PointerScope(OF_EVERY_CLASS);
    }

    private static final class Address extends Pointer {

        Address(long address) {
            this.address = address;
        }
    }
}
