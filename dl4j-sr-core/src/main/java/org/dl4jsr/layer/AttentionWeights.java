package org.dl4jsr.layer;

import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The projections of DL4J's attention layers, or their gradients, as matrices; all null where nothing is projected.
 *
 * @param query [heads * head width, width], as key and value
 * @param output [heads * head width, output width]
 */
record AttentionWeights(INDArray query, INDArray key, INDArray value, INDArray output) {

    /** Those of a layer's parameters, or of their gradients. */
    static AttentionWeights of(Map<String, INDArray> table) {
        return new AttentionWeights(
                matrix(table.get("Wq")), matrix(table.get("Wk")), matrix(table.get("Wv")), table.get("Wo"));
    }

    /** Whether there are any. */
    boolean project() {
        return output != null;
    }

    private static INDArray matrix(INDArray heads) {
        return heads == null ? null : heads.reshape('c', heads.size(0) * heads.size(1), heads.size(2));
    }
}
