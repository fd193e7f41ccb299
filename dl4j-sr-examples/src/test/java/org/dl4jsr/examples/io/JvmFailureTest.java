package org.dl4jsr.examples.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import org.junit.jupiter.api.Test;

class JvmFailureTest {

    @Test
    void tooLittleMemoryIsSaidWhateverIsAroundIt() {
        String line = "not enough memory (Java heap space): more heap (java -Xmx), or a smaller --batch, --context or"
                + " --preset; see the plan command for what a model needs";
        OutOfMemoryError error = new OutOfMemoryError("Java heap space");
        assertEquals(line, JvmFailure.line(error));
        assertEquals(line, JvmFailure.line(new IllegalStateException("x", new ExceptionInInitializerError(error))));
    }

    @Test
    void aGpuHasMemoryOfItsOwn() {
        String message = "GPU memory: cuMemAlloc of 5 bytes on X failed: take a smaller model";
        assertEquals("not enough " + message, JvmFailure.line(new RuntimeException(new OutOfMemoryError(message))));
    }

    @Test
    void whatIsNotLoadedForWantOfMemoryIsForWantOfMemory() {
        NoClassDefFoundError again = new NoClassDefFoundError("Could not initialize class X");
        again.initCause(
                new ExceptionInInitializerError("Exception java.lang.OutOfMemoryError: heap [in thread \"main\"]"));
        assertTrue(
                JvmFailure.line(again)
                        .startsWith("not enough memory (Exception java.lang.OutOfMemoryError: heap [in thread"),
                JvmFailure.line(again));
    }

    @Test
    void threadsAndFilesAndStackAreNamed() {
        assertEquals(
                "no more threads can be started: allow more processes (ulimit -u) or more memory (ulimit -v)",
                JvmFailure.line(new OutOfMemoryError("unable to create native thread: possibly out of memory")));
        assertEquals(
                "too many open files: allow 256 or more (ulimit -n)",
                JvmFailure.line(new RuntimeException(new IOException("lib/x.jar (Too many open files)"))));
        assertEquals(
                "the stack is too small: give Java more (java -Xss)",
                JvmFailure.line(new RuntimeException(new StackOverflowError())));
    }

    @Test
    void aMappedFileThatIsGoneIsSaid() {
        String line = JvmFailure.line(new RuntimeException(new InternalError(
                "a fault occurred in a recent unsafe memory access operation in compiled Java code")));
        assertTrue(line.startsWith("a file of tokens was cut while it was in use"), line);
        assertNull(JvmFailure.line(new InternalError("something else")));
    }

    @Test
    void aMissingLibraryIsNotALibraryThatDoesNotLoad() {
        NoClassDefFoundError missing = new NoClassDefFoundError("picocli/CommandLine");
        missing.initCause(new ClassNotFoundException("picocli.CommandLine"));
        assertEquals(
                "class picocli.CommandLine is missing: the jar needs its lib/ folder beside it",
                JvmFailure.line(missing));
        UnsatisfiedLinkError link = new UnsatisfiedLinkError("libx.so: file too short\nsomewhere");
        assertEquals(
                "this machine cannot load what the program needs: UnsatisfiedLinkError libx.so: file too short",
                JvmFailure.line(new ExceptionInInitializerError(link)));
        assertEquals("Do this", JvmFailure.line(new RuntimeException(new IllegalStateException("Do this", link))));
    }

    @Test
    void aFaultOfTheProgramIsNone() {
        assertNull(JvmFailure.line(new IllegalStateException("x", new NullPointerException())));
    }
}
