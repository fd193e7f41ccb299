package org.dl4jsr.backend;

import java.lang.reflect.Constructor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.BroadcastOp;
import org.nd4j.linalg.api.ops.Op;
import org.nd4j.linalg.api.ops.RandomOp;
import org.nd4j.linalg.api.ops.ReduceOp;
import org.nd4j.linalg.api.ops.ScalarOp;
import org.nd4j.linalg.api.ops.TransformOp;
import org.nd4j.linalg.api.ops.impl.indexaccum.FirstIndex;
import org.nd4j.linalg.api.ops.impl.indexaccum.LastIndex;
import org.nd4j.linalg.api.ops.impl.reduce.longer.MatchCondition;
import org.nd4j.linalg.api.ops.impl.reduce3.BaseReduce3Op;
import org.nd4j.linalg.api.ops.impl.summarystats.Variance;
import org.nd4j.linalg.api.ops.impl.transforms.bool.MatchConditionTransform;
import org.nd4j.linalg.api.ops.impl.transforms.comparison.CompareAndReplace;
import org.nd4j.linalg.api.ops.impl.transforms.comparison.CompareAndSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.conditions.Condition;
import org.nd4j.linalg.indexing.conditions.Conditions;
import org.nd4j.linalg.ops.transforms.Transforms;

/** How the ops of the old kind, those that are no custom ops, are called: by the constructors of their classes. */
final class LegacyOpCases {

    /** {@code op} makes the op on operands that stand for {@code inputs}. */
    record LegacyOpCase(String name, Function<INDArray[], Op> op, INDArray... inputs) {

        INDArray run(INDArray... operands) {
            Nd4j.getRandom().setSeed(7);
            return Nd4j.exec(op.apply(operands));
        }
    }

    private static final Condition CONDITION = Conditions.lessThan(0.1);

    private final Random random = new Random(1);
    private final List<LegacyOpCase> cases = new ArrayList<>();

    private LegacyOpCases() {}

    /** The ways to call the op of this class; none where it has no constructor that is known here. */
    static List<LegacyOpCase> of(Class<? extends Op> type) {
        var cases = new LegacyOpCases();
        if (RandomOp.class.isAssignableFrom(type)) {
            cases.randomOp(type);
        } else if (BroadcastOp.class.isAssignableFrom(type)) {
            cases.broadcast(type);
        } else if (BaseReduce3Op.class.isAssignableFrom(type)) {
            cases.distance(type);
        } else if (Variance.class.isAssignableFrom(type)) {
            cases.variance(type);
        } else if (type == FirstIndex.class || type == LastIndex.class || type == MatchCondition.class) {
            cases.conditional(type);
        } else if (ReduceOp.class.isAssignableFrom(type)) {
            cases.reduction(type);
        } else if (ScalarOp.class.isAssignableFrom(type)) {
            cases.scalar(type);
        } else if (TransformOp.class.isAssignableFrom(type)) {
            cases.transform(type);
        }
        return cases.cases;
    }

    private void transform(Class<? extends Op> type) {
        if (type == CompareAndReplace.class) {
            add(type, a -> new CompareAndReplace(a[0].dup(), a[1], CONDITION), x(4, 6), x(4, 6));
        } else if (type == CompareAndSet.class) {
            add(type, a -> new CompareAndSet(a[0].dup(), 0.3, CONDITION), x(4, 6));
        } else if (type == MatchConditionTransform.class) {
            add(type, a -> new MatchConditionTransform(a[0], CONDITION), x(4, 6));
        } else if (has(type, INDArray.class, INDArray.class, INDArray.class)) {
            INDArray x = type.getSimpleName().startsWith("Pow") ? positive(4, 6) : x(4, 6);
            add(type, a -> create(type, a[0], a[1], result(type, a[0])), x, x(4, 6));
        } else if (has(type, INDArray.class, INDArray.class, INDArray.class, double.class)) {
            add(type, a -> create(type, a[0], a[1], a[0].ulike(), 0.3), x(4, 6), x(4, 6));
        } else if (has(type, INDArray.class, INDArray.class, double.class)) {
            add(type, a -> create(type, a[0], a[1], 0.3), x(4, 6), x(4, 6));
        } else if (has(type, INDArray.class, INDArray.class, double.class, double.class)) {
            add(type, a -> create(type, a[0], a[1], 0.3, 0.1), x(4, 6), x(4, 6));
        } else if (has(type, INDArray.class, double.class)) {
            add(type, a -> create(type, a[0].dup(), 0.3), x(4, 6));
        } else if (has(type, INDArray.class, double.class, double.class)) {
            add(type, a -> create(type, a[0].dup(), -0.3, 0.4), x(4, 6));
        } else if (has(type, INDArray.class)) {
            INDArray[] operands = {x(4, 6), positive(4, 6), x(7), x()};
            for (INDArray x : operands) {
                add(type, a -> create(type, a[0].dup()), x);
                if (has(type, INDArray.class, INDArray.class)) {
                    add(type, a -> create(type, a[0], result(type, a[0])), x);
                }
            }
        }
    }

    private void scalar(Class<? extends Op> type) {
        for (Number value : new Number[] {0.3, 2}) {
            INDArray x = type.getSimpleName().matches("Pow.*|LogX") ? positive(4, 6) : x(4, 6);
            if (has(type, INDArray.class, Number.class)) {
                add(type, a -> create(type, a[0].dup(), value), x);
                add(type, a -> create(type, a[0].dup(), value), x());
            } else if (has(type, INDArray.class, double.class)) {
                add(type, a -> create(type, a[0].dup(), value.doubleValue()), x);
            }
        }
    }

    private void broadcast(Class<? extends Op> type) {
        add(type, a -> create(type, a[0], a[1], result(type, a[0]), new int[] {1}), x(4, 6), x(6));
        add(type, a -> create(type, a[0], a[1], result(type, a[0]), new int[] {0}), x(4, 6), x(4));
        add(type, a -> create(type, a[0], a[1], result(type, a[0]), new int[] {1}), x(2, 3, 4), x(3));
    }

    private void distance(Class<? extends Op> type) {
        add(type, a -> create(type, a[0], a[1], new int[0]), x(4, 6), x(4, 6));
        add(type, a -> create(type, a[0], a[1], new int[] {1}), x(4, 6), x(4, 6));
        add(type, a -> create(type, a[0], a[1], true, new int[] {0}), x(4, 6), x(4, 6));
    }

    private void variance(Class<? extends Op> type) {
        for (boolean corrected : new boolean[] {false, true}) {
            add(type, a -> create(type, a[0], corrected, new int[] {0}), x(40, 6));
            add(type, a -> create(type, a[0], corrected, new int[] {0, 1}), x(40, 6));
        }
    }

    private void conditional(Class<? extends Op> type) {
        for (int[] dimensions : new int[][] {{0}, {1}}) {
            add(type, a -> create(type, a[0], CONDITION, dimensions), x(4, 6));
        }
    }

    private void reduction(Class<? extends Op> type) {
        boolean logarithmic = type.getSimpleName().endsWith("Entropy");
        for (int[] dimensions : new int[][] {{0}, {1}, {0, 1}, {}}) {
            add(type, a -> create(type, a[0], dimensions), logarithmic ? positive(40, 6) : x(40, 6));
        }
        add(type, a -> create(type, a[0], new int[] {1}), logarithmic ? positive(2, 3, 4) : x(2, 3, 4));
    }

    private void randomOp(Class<? extends Op> type) {
        if (has(type, INDArray.class, INDArray.class, INDArray.class)) { // choice: of values, with probabilities
            add(
                    type,
                    a -> create(type, a[0], a[1], Nd4j.createUninitialized(a[0].dataType(), 30)),
                    x(3),
                    Nd4j.createFromArray(0.25f, 0.5f, 0.25f).castTo(DataType.BFLOAT16));
        } else if (has(type, INDArray.class, INDArray.class, INDArray.class, double.class)) {
            add(type, a -> create(type, a[0], a[1], a[0].ulike(), 0.3), x(4, 6), x(4, 6));
        } else if (has(type, INDArray.class, double.class, double.class, double.class, double.class)) {
            add(type, a -> create(type, a[0].dup(), 0.5, 0.1, 0.2, 0.3), x(4, 6));
        } else if (has(type, INDArray.class, int.class, double.class)) {
            add(type, a -> create(type, a[0].dup(), 5, 0.3), x(4, 6));
        } else if (has(type, INDArray.class, long.class, double.class)) {
            add(type, a -> create(type, a[0].dup(), 5L, 0.3), x(4, 6));
        } else if (has(type, INDArray.class, double.class, double.class)) {
            add(type, a -> create(type, a[0].dup(), 0.3, 0.7), x(4, 6));
        } else if (has(type, INDArray.class, double.class)) {
            add(type, a -> create(type, a[0].dup(), 0.3), x(4, 6));
        }
    }

    private void add(Class<? extends Op> type, Function<INDArray[], Op> op, INDArray... inputs) {
        cases.add(new LegacyOpCase(type.getSimpleName(), op, inputs));
    }

    /** An array for the result: BOOL for ops that ask. */
    private static INDArray result(Class<?> type, INDArray x) {
        boolean asks = type.getSuperclass().getSimpleName().contains("Bool");
        return Nd4j.create(asks ? DataType.BOOL : x.dataType(), x.shape());
    }

    private static boolean has(Class<?> type, Class<?>... parameters) {
        return Arrays.stream(type.getConstructors()).anyMatch(c -> Arrays.equals(c.getParameterTypes(), parameters));
    }

    private static Op create(Class<? extends Op> type, Object... arguments) {
        for (Constructor<?> constructor : type.getConstructors()) {
            if (takes(constructor.getParameterTypes(), arguments)) {
                try {
                    return (Op) constructor.newInstance(arguments);
                } catch (ReflectiveOperationException e) {
                    throw new IllegalStateException(type + " cannot be made", e);
                }
            }
        }
        throw new IllegalStateException(type + " has no constructor for " + Arrays.toString(arguments));
    }

    private static boolean takes(Class<?>[] parameters, Object[] arguments) {
        if (parameters.length != arguments.length) {
            return false;
        }
        for (int i = 0; i < parameters.length; i++) {
            boolean fits =
                    switch (parameters[i].getName()) {
                        case "double" -> arguments[i] instanceof Double;
                        case "int" -> arguments[i] instanceof Integer;
                        case "long" -> arguments[i] instanceof Long;
                        case "boolean" -> arguments[i] instanceof Boolean;
                        default -> parameters[i].isInstance(arguments[i]);
                    };
            if (!fits) {
                return false;
            }
        }
        return true;
    }

    private INDArray x(long... shape) {
        return Bf16Testing.random(random, shape);
    }

    private INDArray positive(long... shape) {
        return Transforms.abs(x(shape), true).addi(0.0625);
    }
}
