package org.dl4jsr.backend;

import java.util.Arrays;
import java.util.Optional;

/** The code that asks for something, such as an op, where only that tells what it is for. */
public final class CallStack {

    private static final StackWalker STACK = StackWalker.getInstance();

    /** Frames between such code and us. */
    private static final int DEPTH = 24;

    private static final int NEAR = 4;

    private CallStack() {}

    /** The name of the innermost class of these packages, each of which ends in a dot, and of those below them. */
    public static Optional<String> innermostOf(String... packages) {
        return STACK.walk(frames -> frames.limit(DEPTH)
                .map(StackWalker.StackFrame::getClassName)
                .filter(name -> Arrays.stream(packages).anyMatch(name::startsWith))
                .findFirst());
    }

    /** Whether the innermost call of {@code method} of this class was by {@code caller} of the same class. */
    public static boolean isCalledBy(Class<?> owner, String method, String caller) {
        String name = owner.getName();
        return STACK.walk(frames -> frames.limit(DEPTH)
                .filter(frame -> frame.getClassName().equals(name))
                .map(StackWalker.StackFrame::getMethodName)
                .dropWhile(called -> !called.equals(method))
                .skip(1)
                .findFirst()
                .filter(caller::equals)
                .isPresent());
    }

    /** Whether a method of this name has called the one that asks, directly or by way of two others. */
    static boolean isWithin(String method) {
        return STACK.walk(frames -> frames.skip(1).limit(NEAR).anyMatch(frame -> frame.getMethodName()
                .equals(method)));
    }
}
