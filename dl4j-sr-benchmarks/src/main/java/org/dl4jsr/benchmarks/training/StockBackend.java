package org.dl4jsr.benchmarks.training;

import java.io.IOException;
import java.net.URL;
import java.util.Collections;
import java.util.Enumeration;
import org.dl4jsr.backend.Bf16Executioner;
import org.dl4jsr.policy.Bf16Policy;
import org.nd4j.common.config.ND4JClassLoading;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.factory.Nd4jBackend;

/** Stock DL4J beside dl4j-sr on the class path: its network's type is FLOAT, and ND4J's own backend is in force. */
final class StockBackend extends ClassLoader {

    /** What stands for it where a policy could be named. */
    static final String NAME = "stock";

    private StockBackend(ClassLoader parent) {
        super(parent);
    }

    /**
     * The policy of this name, or null for {@value #NAME}, whose backend is then in force in this process. Before ND4J
     * starts.
     */
    static Bf16Policy policyOrStock(String name) {
        boolean stock = name.equals(NAME);
        if (stock) {
            ND4JClassLoading.setNd4jClassloader(new StockBackend(ND4JClassLoading.getNd4jClassloader()));
        }
        if (Nd4j.getExecutioner() instanceof Bf16Executioner == stock) {
            throw new IllegalStateException(Nd4j.getBackend() + " is in force for " + name);
        }
        return stock ? null : Bf16Policy.named(name);
    }

    /** Does not find dl4j-sr's announcement of its backend. */
    @Override
    public Enumeration<URL> getResources(String name) throws IOException {
        var found = Collections.list(super.getResources(name));
        if (name.equals("META-INF/services/" + Nd4jBackend.class.getName())) {
            found.removeIf(url -> !url.getPath().contains("nd4j-native"));
        }
        return Collections.enumeration(found);
    }
}
