package org.dl4jsr.backend;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.dl4jsr.op.Device;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * BLAS, which ND4J calls past its executioner and which would read BF16 memory as FLOAT: each function runs on FLOAT
 * copies of its BF16 arrays.
 */
public final class Bf16Blas implements InvocationHandler {

    /** These come back as ops. */
    private static final Set<String> PRODUCTS = Set.of("gemv", "gemm");

    private final Device device;
    private final Object stock;

    private Bf16Blas(Device device, Object stock) {
        this.device = device;
        this.stock = stock;
    }

    /** The functions of {@code stock}, which is one of ND4J's levels of BLAS. */
    public static <T> T of(Device device, Class<T> level, T stock) {
        return level.cast(
                Proxy.newProxyInstance(level.getClassLoader(), new Class<?>[] {level}, new Bf16Blas(device, stock)));
    }

    @Override
    public Object invoke(Object proxy, Method function, Object[] arguments) throws Throwable {
        if (arguments == null || PRODUCTS.contains(function.getName())) {
            return call(function, arguments);
        }
        List<INDArray> arrays = Arrays.stream(arguments)
                .filter(INDArray.class::isInstance)
                .map(INDArray.class::cast)
                .toList();
        if (!PendingSteps.isEmpty()) {
            PendingSteps.intercept(device, function.getName(), arrays, List.of());
        }
        ExactSums.forget(arrays);
        refuseBuffers(function, arguments);
        try (var copies = new FloatCopies(device)) {
            Object[] wide = arguments.clone();
            for (int i = 0; i < wide.length; i++) {
                wide[i] = wide[i] instanceof INDArray array ? copies.of(array) : wide[i];
            }
            Object result = call(function, wide);
            arrays.forEach(copies::writeBack);
            return result;
        }
    }

    private Object call(Method function, Object[] arguments) throws Throwable {
        try {
            return function.invoke(stock, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    private static void refuseBuffers(Method function, Object[] arguments) {
        for (Object argument : arguments) {
            if (argument instanceof DataBuffer buffer && buffer.dataType() == DataType.BFLOAT16) {
                throw new UnsupportedOperationException("BLAS " + function.getName()
                        + " on BFLOAT16 data buffers; call the function that takes INDArrays");
            }
        }
    }
}
