package org.dl4jsr.parallel;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jsr.policy.Bf16Policy;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.learning.config.Sgd;

/** Both classes of networks, with updater state and without. */
class ModelFileTest {

    static Stream<Tasks> tasks() {
        return Stream.of(Tasks.mlp(), Tasks.gpt(), Tasks.mlp("without state", Bf16Policy.SR, new Sgd(0.1)));
    }

    @ParameterizedTest
    @MethodSource("tasks")
    void theFilesInItAreThoseOfModelSerializer(Tasks task) throws IOException {
        Model network = task.network().get();
        new DataParallel(network).step(0, 2, task.batches());
        var own = new ByteArrayOutputStream();
        ModelFile.write(network, own);
        var dl4j = new ByteArrayOutputStream();
        ModelSerializer.writeModel(network, dl4j, true);
        assertEquals(entries(dl4j.toByteArray()), entries(own.toByteArray()));
    }

    /** The files in a zip file. */
    static Map<String, ByteBuffer> entries(byte[] file) throws IOException {
        var entries = new HashMap<String, ByteBuffer>();
        try (var zip = new ZipInputStream(new ByteArrayInputStream(file))) {
            for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
                entries.put(entry.getName(), ByteBuffer.wrap(zip.readAllBytes()));
            }
        }
        return entries;
    }
}
