package org.dl4jsr.backend;

import org.nd4j.common.io.ClassPathResource;
import org.nd4j.common.io.Resource;
import org.nd4j.linalg.factory.Environment;
import org.nd4j.linalg.factory.Nd4jBackend;

/**
 * One of ND4J's backends with BF16 done right: store BF16, compute FP32. It ranks above the stock backend and leaves to
 * it all but the names of our classes.
 *
 * <p>ND4J creates every backend that {@code META-INF/services} announces, so these know theirs by name only: where it
 * is not on the class path, ours is not available and comes last.
 */
public abstract class Bf16Backend extends Nd4jBackend {

    /** System property of ND4J: names of the only backends that it initializes. */
    static final String BACKENDS_PROPERTY = "backends";

    private static final int ABOVE_STOCK = 50;
    private static final int LAST = -1000;

    private final Nd4jBackend stock;
    private final String configuration;

    /**
     * @param stock class of ND4J's backend
     * @param configuration resource that takes the place of its properties
     */
    protected Bf16Backend(String stock, String configuration) {
        this.stock = create(stock);
        this.configuration = configuration;
    }

    private static Nd4jBackend create(String name) {
        try {
            return Class.forName(name)
                    .asSubclass(Nd4jBackend.class)
                    .getDeclaredConstructor()
                    .newInstance();
        } catch (ClassNotFoundException e) {
            return null;
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(
                    "ND4J's backend " + name + " cannot be created: is it of the ND4J version"
                            + " that dl4j-sr is made for?",
                    e);
        }
    }

    /**
     * Whether the user has named other backends. ND4J looks only once it has chosen one: it would stay uninitialized,
     * without a word.
     */
    static boolean isExcluded(String name) {
        String named = System.getProperty(BACKENDS_PROPERTY);
        return named != null && !named.contains(name);
    }

    /** Whether ND4J's own backend is on the class path. */
    protected final boolean hasStock() {
        return stock != null;
    }

    @Override
    public int getPriority() {
        return hasStock() ? stock.getPriority() + ABOVE_STOCK : LAST;
    }

    @Override
    public boolean isAvailable() {
        return hasStock() && !isExcluded(getClass().getName()) && stock.isAvailable();
    }

    @Override
    public boolean canRun() {
        return hasStock() && stock.canRun();
    }

    @Override
    public Resource getConfigurationResource() {
        return new ClassPathResource(configuration, Bf16Backend.class.getClassLoader());
    }

    @Override
    public boolean allowsOrder() {
        return stock.allowsOrder();
    }

    @Override
    public Class<?> getNDArrayClass() {
        return stock.getNDArrayClass();
    }

    @Override
    public Environment getEnvironment() {
        return stock.getEnvironment();
    }

    @Override
    public String buildInfo() {
        return stock.buildInfo();
    }

    @Override
    public void logBackendInit() {
        stock.logBackendInit();
    }
}
