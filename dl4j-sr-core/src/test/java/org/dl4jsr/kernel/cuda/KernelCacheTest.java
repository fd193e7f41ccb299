package org.dl4jsr.kernel.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

@Tag("slow")
@EnabledIf(value = "org.dl4jsr.kernel.cuda.FakeCuda#canBeBuilt", disabledReason = "needs g++ on Linux x86-64")
class KernelCacheTest {

    private static final KernelSource SOURCE = KernelSource.MATRIX;

    @TempDir
    private Path directory;

    @BeforeAll
    static void load() {
        FakeCuda.load();
    }

    @Test
    void keepsWhatItCompiled() throws IOException {
        var cache = new KernelCache(directory.resolve("not/there/yet"));
        byte[] image = cache.get(SOURCE, "sm_90");
        Path file = cache.file(SOURCE, "sm_90");
        Files.setLastModifiedTime(file, FileTime.fromMillis(0));
        assertArrayEquals(image, new KernelCache(file.getParent()).get(SOURCE, "sm_90"));
        assertEquals(0, Files.getLastModifiedTime(file).toMillis(), "written again");
        try (var files = Files.list(file.getParent())) {
            assertEquals(1, files.count(), "temporary files are left");
        }
    }

    @Test
    void compilesDamagedFilesAgain() throws IOException {
        var cache = new KernelCache(directory);
        byte[] image = cache.get(SOURCE, "sm_90");
        Path file = cache.file(SOURCE, "sm_90");
        byte[] whole = Files.readAllBytes(file);
        byte[] flipped = whole.clone();
        flipped[whole.length - 1] ^= 1;
        for (byte[] damaged : new byte[][] {new byte[0], new byte[10], new byte[5000], flipped}) {
            Files.write(file, damaged);
            assertArrayEquals(image, cache.get(SOURCE, "sm_90"));
            assertArrayEquals(whole, Files.readAllBytes(file));
        }
    }

    @Test
    void keyDependsOnSourceAndArchitecture() {
        var cache = new KernelCache(directory);
        assertNotEquals(cache.file(SOURCE, "sm_80"), cache.file(SOURCE, "sm_90"));
        assertNotEquals(cache.file(SOURCE, "sm_90"), cache.file(KernelSource.ATTENTION, "sm_90"));
    }

    @Test
    void worksWithoutADirectory() throws IOException {
        Path file = Files.writeString(directory.resolve("file"), "not a directory");
        assertTrue(new KernelCache(file.resolve("below")).get(SOURCE, "sm_90").length > 0);
    }
}
