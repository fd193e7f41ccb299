package org.dl4jsr.kernel.cuda;

import org.bytedeco.javacpp.Pointer;

/** An address, of the host or of a GPU, for calls that want a pointer of JavaCPP's; it owns nothing. */
final class Address extends Pointer {

    Address(long address) {
        this.address = address;
    }
}
