package org.dl4jsr.op;

/**
 * Autocast, as torch.amp has it: while on, multiplications of FP32 matrices run on BF16 copies of their operands with
 * FP32 accumulation and FP32 results. Causal attention on a GPU's tensor cores rounds its operands and its result. Everything
 * else stays FP32. The switch is of the whole process, because DL4J may run a network's layers on threads of its own.
 */
public final class Autocast {

    private static volatile boolean enabled;

    private Autocast() {}

    /** Whether FP32 matmuls run in BF16; off at start. */
    public static boolean isEnabled() {
        return enabled;
    }

    /** Switches autocast for the whole process. */
    public static void setEnabled(boolean on) {
        enabled = on;
    }
}
