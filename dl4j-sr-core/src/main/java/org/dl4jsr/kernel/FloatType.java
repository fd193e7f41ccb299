package org.dl4jsr.kernel;

/** How a kernel's operand is stored. All arithmetic is FP32 whatever the storage. */
public enum FloatType {
    FLOAT(4),
    BFLOAT16(2);

    private final int bytes;

    FloatType(int bytes) {
        this.bytes = bytes;
    }

    /** Bytes an element. */
    public int bytes() {
        return bytes;
    }
}
