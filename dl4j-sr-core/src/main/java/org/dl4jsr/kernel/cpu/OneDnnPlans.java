package org.dl4jsr.kernel.cpu;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;

/** The plans that a thread keeps ready, each by what it depends on; the least recently used is closed first. */
final class OneDnnPlans<K, P extends OneDnnPrimitives> {

    private final Map<K, P> plans;

    /** @param most how many are kept */
    OneDnnPlans(int most) {
        plans = new LinkedHashMap<>(16, 0.75f, true) {
            @Override
            protected boolean removeEldestEntry(Map.Entry<K, P> eldest) {
                if (size() > most) {
                    eldest.getValue().close();
                    return true;
                }
                return false;
            }
        };
    }

    /** The plan of {@code key}, which {@code make} makes where there is none. */
    P get(K key, Supplier<P> make) {
        return plans.computeIfAbsent(key, k -> make.get());
    }
}
