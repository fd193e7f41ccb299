package org.dl4jsr.layer;

import java.util.Arrays;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationReLU;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.scalar.RectifiedLinear;
import org.nd4j.linalg.api.ops.impl.scalar.RectifiedLinearDerivative;
import org.nd4j.linalg.factory.Nd4j;

/**
 * ReLU by ND4J's ops, with results that lie in memory as their input does. DL4J's own way changes its input, which has
 * to be copied first, and gives a gradient in 'c' order.
 */
final class Rectifier {

    private Rectifier() {}

    /** Whether it is ReLU without a limit, threshold or slope, which DL4J lets it have. */
    static boolean is(IActivation activation) {
        return activation.equals(new ActivationReLU());
    }

    /** A new array. */
    static INDArray value(INDArray x, ArrayType place, LayerWorkspaceMgr workspaceMgr) {
        INDArray y = Layouts.alike(x, place, workspaceMgr);
        Nd4j.exec(new RectifiedLinear(x, y));
        return y;
    }

    /** The gradient of x, of that of its value. */
    static INDArray gradient(INDArray x, INDArray dy, ArrayType place, LayerWorkspaceMgr workspaceMgr) {
        INDArray dx = Layouts.alike(x, place, workspaceMgr);
        boolean alike = Arrays.equals(dy.stride(), dx.stride());
        Nd4j.exec(new RectifiedLinearDerivative(x, alike ? dy : dx.assign(dy), dx, 0));
        return dx;
    }
}
