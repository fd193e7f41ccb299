package org.dl4jsr.kernel.cpu;

import org.bytedeco.javacpp.Pointer;

/** A pointer to memory that others own. */
final class Address extends Pointer {

    Address at(long address) {
        this.address = address;
        return this;
    }
}
