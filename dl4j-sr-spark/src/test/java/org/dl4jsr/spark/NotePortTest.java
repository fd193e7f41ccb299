package org.dl4jsr.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.dl4jsr.parallel.Observer;
import org.dl4jsr.parallel.TransportException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A rank and its driver in one process, over loopback. */
@Timeout(60)
class NotePortTest {

    private static final Duration DEADLINE = Duration.ofSeconds(20);

    private final List<String> heard = new ArrayList<>();
    private final Observer observer = new Observer() {
        @Override
        public void note(String text) {
            heard.add(text);
        }

        @Override
        public boolean isStopWanted() {
            return heard.size() >= 2;
        }
    };

    @Test
    void notesArriveAndTheWishToStopComesBack() {
        AttemptKey key = AttemptKey.random(0);
        try (var port = new NotePort("127.0.0.1", 2, key, true, observer);
                var client = new NoteClient(port.address(), key, true, DEADLINE)) {
            assertFalse(client.send("step 1 täglich"));
            assertTrue(client.send("step 2"));
        }
        assertEquals(List.of("step 1 täglich", "step 2"), heard);
    }

    /** The second rank is there first, and waits. */
    @Test
    void allRanksHearWhereAllAre() throws Exception {
        AttemptKey key = AttemptKey.random(0);
        try (var port = new NotePort("127.0.0.1", 2, key, true, observer);
                var first = new NoteClient(port.address(), key, true, DEADLINE);
                var second = new NoteClient(port.address(), key, true, DEADLINE)) {
            var heardBySecond = CompletableFuture.supplyAsync(() -> second.meet(1, "b:2"));
            assertEquals(List.of("a:1", "b:2"), first.meet(0, "a:1"));
            assertEquals(List.of("a:1", "b:2"), heardBySecond.get());
        }
    }

    @Test
    void theFirstFailureIsKept() {
        AttemptKey key = AttemptKey.random(0);
        try (var port = new NotePort("127.0.0.1", 2, key, false, observer);
                var first = new NoteClient(port.address(), key, false, DEADLINE);
                var second = new NoteClient(port.address(), key, false, DEADLINE)) {
            first.send("step 1");
            assertEquals(Optional.empty(), port.failure());
            second.fail("Rank 1 has failed: the disk is full");
            first.fail("Rank 0 has failed: rank 1 has left");
            assertEquals(Optional.of("Rank 1 has failed: the disk is full"), port.failure());
            assertEquals(List.of("step 1"), heard);
        }
    }

    @Test
    void whoHasAnotherKeyIsNotHeard() {
        AttemptKey key = AttemptKey.random(0);
        try (var port = new NotePort("127.0.0.1", 2, key, false, observer);
                var stranger = new NoteClient(port.address(), AttemptKey.random(0), false, DEADLINE);
                var client = new NoteClient(port.address(), key, false, DEADLINE)) {
            assertThrows(TransportException.class, () -> stranger.send("step 1"));
            assertEquals(List.of(), heard);
            client.send("step 1");
            assertEquals(List.of("step 1"), heard);
        }
    }

    @Test
    void aDriverThatHasGoneIsSaid() {
        AttemptKey key = AttemptKey.random(0);
        var port = new NotePort("127.0.0.1", 2, key, false, observer);
        try (var client = new NoteClient(port.address(), key, false, DEADLINE)) {
            client.send("step 1");
            port.close();
            var gone = assertThrows(TransportException.class, () -> client.send("step 2"));
            assertTrue(gone.getMessage().contains(port.address()), gone::getMessage);
        }
    }
}
