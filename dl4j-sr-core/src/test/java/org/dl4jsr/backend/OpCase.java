package org.dl4jsr.backend;

import java.util.Arrays;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.factory.Nd4j;

/** One way to call a custom op of ND4J: what is BF16 in {@code inputs} may as well be FLOAT. */
record OpCase(String name, INDArray[] inputs, double[] reals, int[] integers, boolean[] flags, DataType[] types) {

    OpCase(String name, INDArray... inputs) {
        this(name, inputs, new double[0], new int[0], new boolean[0], new DataType[0]);
    }

    OpCase reals(double... values) {
        return new OpCase(name, inputs, values, integers, flags, types);
    }

    OpCase integers(int... values) {
        return new OpCase(name, inputs, reals, values, flags, types);
    }

    OpCase flags(boolean... values) {
        return new OpCase(name, inputs, reals, integers, values, types);
    }

    /** The op's D arguments; BFLOAT16 becomes FLOAT where the op is run in FLOAT. */
    OpCase types(DataType... values) {
        return new OpCase(name, inputs, reals, integers, flags, values);
    }

    /** The same arguments for another op. */
    OpCase named(String other) {
        return new OpCase(other, inputs, reals, integers, flags, types);
    }

    /** Runs the op on {@code operands} in place of the inputs, from the same random state each time. */
    INDArray[] run(boolean inFloat, boolean inPlace, INDArray... operands) {
        Nd4j.getRandom().setSeed(7);
        var builder = DynamicCustomOp.builder(name)
                .addInputs(operands)
                .addFloatingPointArguments(boxed(reals))
                .addIntegerArguments(integers)
                .addBooleanArguments(flags);
        DynamicCustomOp op = (inPlace ? builder.addOutputs(operands[0]) : builder).build();
        for (DataType type : types) {
            op.addDArgument(inFloat && type == DataType.BFLOAT16 ? DataType.FLOAT : type);
        }
        return Nd4j.exec(op);
    }

    private static Double[] boxed(double[] values) {
        return Arrays.stream(values).boxed().toArray(Double[]::new);
    }
}
