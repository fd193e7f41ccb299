package org.dl4jsr.kernel.reference;

import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.Memory;
import org.dl4jsr.rounding.BFloat16;

/** FLOAT or BF16 values in raw memory, read exactly and written rounded to nearest. */
record FloatArray(FloatType type, long address) {

    float get(long i) {
        return type == FloatType.FLOAT
                ? Memory.getFloat(address + 4 * i)
                : BFloat16.toFloat(Memory.getShort(address + 2 * i));
    }

    void set(long i, double value) {
        if (type == FloatType.FLOAT) {
            Memory.putFloat(address + 4 * i, (float) value);
        } else {
            Memory.putShort(address + 2 * i, BFloat16.fromFloat((float) value));
        }
    }
}
