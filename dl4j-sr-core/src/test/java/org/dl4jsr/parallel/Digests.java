package org.dl4jsr.parallel;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.deeplearning4j.nn.api.Model;
import org.nd4j.linalg.api.ndarray.INDArray;

/** SHA-256 of a network's weights and updater state. */
final class Digests {

    private Digests() {}

    static String of(Model network) {
        try {
            var sha = MessageDigest.getInstance("SHA-256");
            add(sha, network.params());
            INDArray state = TrainedNetwork.of(network).storedState();
            if (state != null) {
                add(sha, state);
            }
            return HexFormat.of().formatHex(sha.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    private static void add(MessageDigest sha, INDArray array) {
        sha.update(ArrayBytes.at(
                array.data().addressPointer().address(),
                (int) array.length() * array.dataType().width()));
    }
}
