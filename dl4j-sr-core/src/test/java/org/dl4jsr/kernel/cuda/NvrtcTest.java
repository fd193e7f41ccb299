package org.dl4jsr.kernel.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The real NVRTC compiles the kernels; it needs no GPU. */
@Tag("slow")
@EnabledIf(
        value = "org.dl4jsr.kernel.cuda.FakeCuda#hasNvrtc",
        disabledReason = "needs NVRTC on the class path: mvn -Pnvrtc downloads it, 380 MB")
class NvrtcTest {

    @BeforeAll
    static void load() {
        FakeCuda.load();
    }

    /**
     * The oldest GPU that is supported, which has no BF16 instructions, and those that users train on. Without most of
     * the compiler's optimizer, which is two thirds of the time; a user's GPU gets all of it.
     */
    @ParameterizedTest
    @ValueSource(strings = {"sm_75", "sm_80", "sm_90", "sm_100"})
    void compilesToMachineCode(String architecture) {
        Stream.of(KernelSource.values())
                .filter(source -> source != KernelSource.ATTENTION_MMA || !architecture.equals("sm_75"))
                .forEach(source -> assertArrayEquals(
                        new byte[] {0x7F, 'E', 'L', 'F'},
                        Arrays.copyOf(
                                Nvrtc.compile(source.file(), source.text(), architecture, "--Ofast-compile=max"), 4),
                        source.file()));
    }

    /** What a GPU gets that NVRTC does not know yet; the driver compiles it. The optimizer's is looked at below. */
    @Test
    void compilesToPtx() {
        String newest = Nvrtc.architecture(999);
        Stream.of(KernelSource.values())
                .filter(source -> source != KernelSource.OPTIMIZER)
                .forEach(source -> {
                    byte[] image = Nvrtc.compile(source.file(), source.text(), newest, "--Ofast-compile=max");
                    assertTrue(new String(image, StandardCharsets.UTF_8).contains(".visible .entry "), source.file());
                });
    }

    /** One rounding an operation: nothing is fused but in the steps to a root (2) and a quotient (4). */
    @Test
    void optimizerIsExact() {
        byte[] image = Nvrtc.compile(KernelSource.OPTIMIZER, "compute_80");
        assertEquals(0, image[image.length - 1]); // the driver wants it
        String ptx = new String(image, StandardCharsets.UTF_8);
        assertTrue(ptx.contains(".visible .entry "));
        for (String inexact : new String[] {"sqrt.approx.f32", "div.approx", "div.full", "mul.ftz", "add.ftz"}) {
            assertFalse(ptx.contains(inexact), inexact);
        }
        assertTrue(ptx.contains("sqrt.rn.f32") && ptx.contains("div.rn.f32"));
        int roots = count(ptx, "rsqrt.approx.ftz.f32");
        assertTrue(roots > 0);
        assertEquals(2 * roots + 4 * count(ptx, "rcp.approx.ftz.f32"), count(ptx, "fma.rn.f32"));
    }

    @Test
    void errorsCarryTheCompilersWords() {
        var e = assertThrows(
                CudaException.class, () -> Nvrtc.compile("bad.cu", "__global__ void k() { nothingSuch(); }", "sm_80"));
        assertTrue(e.getMessage().contains("bad.cu") && e.getMessage().contains("nothingSuch"), e.getMessage());
    }

    @Test
    void newerGpusGetPtx() {
        assertEquals("sm_90", Nvrtc.architecture(90));
        assertTrue(Nvrtc.architecture(999).startsWith("compute_"));
        assertThrows(IllegalStateException.class, () -> Nvrtc.architecture(10));
    }

    private static int count(String text, String part) {
        return text.split(Pattern.quote(part), -1).length - 1;
    }
}
