package org.dl4jsr.examples.run;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.UserPrincipal;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SparkHomeTest {

    @TempDir
    private Path parent;

    @Test
    void whatAKilledProcessHasLeftIsDeletedAndNothingElse() throws IOException {
        Path left =
                Files.createDirectories(parent.resolve("dl4j-sr-spark1/work")).getParent();
        Files.createFile(left.resolve("in-use"));
        Path kept;
        try (SparkHome failed = SparkHome.in(parent)) {
            kept = Files.createFile(failed.path().resolve("stderr"));
            failed.keep();
        }
        Path other = Files.createDirectory(parent.resolve("dl4j-sr-sparks-of-others"));
        try (SparkHome running = SparkHome.in(parent);
                SparkHome next = SparkHome.in(parent)) {
            assertFalse(Files.exists(left));
            assertTrue(Files.exists(kept));
            assertTrue(Files.exists(other));
            assertTrue(Files.isDirectory(running.path().resolve("jars")));
            next.close();
            assertFalse(Files.exists(next.path()));
            assertTrue(Files.isDirectory(running.path()));
        }
    }

    @Test
    void aLinkIsNotFollowed() throws IOException {
        Path elsewhere = Files.createDirectory(parent.resolve("elsewhere"));
        Path file = Files.createFile(elsewhere.resolve("in-use"));
        Path link = Files.createSymbolicLink(parent.resolve("dl4j-sr-spark1"), elsewhere);
        SparkHome.in(parent).close();
        assertTrue(Files.exists(file));
        assertTrue(Files.isSymbolicLink(link));
    }

    @Test
    void whatAnotherUserHasLeftIsNotDeleted() throws IOException {
        Path left = Files.createDirectory(parent.resolve("dl4j-sr-spark1"));
        Files.createFile(left.resolve("in-use"));
        String owner = Files.getOwner(left).getName();
        var users = parent.getFileSystem().getUserPrincipalLookupService();
        UserPrincipal other = users.lookupPrincipalByName(owner.equals("root") ? "nobody" : "root");
        SparkHome.deleteLeft(parent, parent, other);
        assertTrue(Files.exists(left));
        SparkHome.deleteLeft(parent, parent, Files.getOwner(left));
        assertFalse(Files.exists(left));
    }

    /** Another process that starts at any moment must not find its lock free. */
    @Test
    void itsLockIsHeldFromTheBeginningToTheEnd() throws Exception {
        var ended = new AtomicBoolean();
        Thread others = new Thread(() -> {
            while (!ended.get()) {
                try {
                    SparkHome.deleteLeft(parent, parent, Files.getOwner(parent));
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }
        });
        others.start();
        try {
            for (int i = 0; i < 200; i++) {
                SparkHome home = SparkHome.in(parent);
                assertTrue(Files.exists(home.path().resolve("jars")), "start " + i);
                home.keep();
                home.close();
                assertTrue(Files.exists(home.path().resolve("jars")), "end " + i);
            }
        } finally {
            ended.set(true);
            others.join();
        }
    }
}
