package org.dl4jsr.examples.run;

import java.io.IOException;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.deeplearning4j.core.storage.StatsStorage;
import org.deeplearning4j.core.storage.StatsStorageRouter;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.dl4jsr.examples.io.BadInput;

/**
 * DL4J's training UI: a run watched from a browser on this machine. Its libraries (50 MB) are not among the app's own,
 * so it is called by reflection; and it would listen to the whole network, so it is given a Vert.x that listens to this
 * machine alone.
 */
final class TrainingUi implements AutoCloseable {

    private static final String SERVER = "org.deeplearning4j.ui.VertxUIServer";
    private static final String STORAGE = "org.deeplearning4j.ui.model.storage.InMemoryStatsStorage";
    private static final String LISTENER = "org.deeplearning4j.ui.model.stats.StatsListener";
    private static final String PORT = "org.deeplearning4j.ui.port";
    private static final String LOOPBACK = "127.0.0.1";
    private static final int SECONDS_TO_START = 30;

    private final Object server;
    private final StatsStorage storage;

    private TrainingUi(Object server, StatsStorage storage) {
        this.server = server;
        this.storage = storage;
    }

    /** Throws where the UI's libraries are missing or {@code port} cannot be had. */
    static void require(int port) {
        BadInput.requireRange("--ui", port, 65_535);
        try {
            Class.forName(SERVER);
        } catch (ClassNotFoundException e) {
            throw new BadInput(
                    "--ui needs DL4J's training UI, which is not among the app's libraries: build it in with"
                            + " mvn -q -DskipTests package -Pui",
                    e);
        }
        try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
            // it can be had
        } catch (IOException e) {
            throw new BadInput("--ui cannot have port " + port + ": " + BadInput.reason(e) + "; give another", e);
        }
    }

    static TrainingUi start(int port) {
        System.setProperty(PORT, String.valueOf(port));
        try {
            Class<?> vertxType = Class.forName("io.vertx.core.Vertx");
            Object vertx = vertxType.getMethod("vertx").invoke(null);
            Object server = Class.forName(SERVER).getConstructor().newInstance();
            Class<?> contextType = Class.forName("io.vertx.core.Context");
            server.getClass()
                    .getMethod("init", vertxType, contextType)
                    .invoke(
                            server,
                            onLoopback(vertxType, vertx),
                            vertxType.getMethod("getOrCreateContext").invoke(vertx));
            started(server);
            StatsStorage storage = Class.forName(STORAGE)
                    .asSubclass(StatsStorage.class)
                    .getConstructor()
                    .newInstance();
            server.getClass().getMethod("attach", StatsStorage.class).invoke(server, storage);
            return new TrainingUi(server, storage);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("The training UI is not the one of this version", e);
        }
    }

    /** Calls the server's own start and waits for its promise. */
    private static void started(Object server) throws ReflectiveOperationException {
        Class<?> promiseType = Class.forName("io.vertx.core.Promise");
        CompletableFuture<Void> done = new CompletableFuture<>();
        Object promise = Proxy.newProxyInstance(
                promiseType.getClassLoader(), new Class<?>[] {promiseType}, (proxy, method, arguments) -> {
                    if (method.getName().equals("complete")) {
                        done.complete(null);
                    } else if (method.getName().equals("fail")) {
                        done.completeExceptionally(
                                arguments[0] instanceof Throwable cause
                                        ? cause
                                        : new IllegalStateException(String.valueOf(arguments[0])));
                    }
                    return null;
                });
        server.getClass().getMethod("start", promiseType).invoke(server, promise);
        try {
            done.get(SECONDS_TO_START, TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException e) {
            throw new BadInput("--ui: the training UI does not start: " + e, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BadInput("Interrupted while the training UI started", e);
        }
    }

    /** {@code vertx} whose servers listen to this machine. */
    private static Object onLoopback(Class<?> vertxType, Object vertx) throws ClassNotFoundException {
        Class<?> serverType = Class.forName("io.vertx.core.http.HttpServer");
        return proxy(vertxType, (self, method, arguments) -> {
            Object result = method.invoke(vertx, arguments);
            return method.getName().equals("createHttpServer") ? listeningOnLoopback(serverType, result) : result;
        });
    }

    private static Object listeningOnLoopback(Class<?> serverType, Object server) {
        return proxy(serverType, (self, method, arguments) -> {
            Object result;
            if (method.getName().equals("listen") && arguments.length == 2) {
                Method onHost = serverType.getMethod("listen", int.class, String.class, method.getParameterTypes()[1]);
                result = onHost.invoke(server, arguments[0], LOOPBACK, arguments[1]);
            } else {
                result = method.invoke(server, arguments);
            }
            return result == server ? self : result;
        });
    }

    private static Object proxy(Class<?> type, InvocationHandler handler) {
        return Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (self, method, arguments) -> {
            try {
                return handler.invoke(self, method, arguments);
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
        });
    }

    /** Where a browser finds it. */
    String address() {
        return "http://" + LOOPBACK + ":" + System.getProperty(PORT);
    }

    /** What sends a network's statistics to the UI, every {@code steps} steps. */
    TrainingListener listener(int steps) {
        try {
            return Class.forName(LISTENER)
                    .asSubclass(TrainingListener.class)
                    .getConstructor(StatsStorageRouter.class, int.class)
                    .newInstance(storage, steps);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("The training UI is not the one of this version", e);
        }
    }

    @Override
    public void close() {
        try {
            server.getClass().getMethod("stop").invoke(server);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("The training UI does not stop", e);
        }
    }
}
