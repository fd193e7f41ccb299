package org.dl4jsr.examples.io;

import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** A SHA-256 over texts and bytes. */
public final class Sha256 {

    private final MessageDigest digest;

    public Sha256() {
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java has SHA-256", e);
        }
    }

    /** Adds all bytes that go through the stream to {@code out}. */
    public OutputStream over(OutputStream out) {
        return new DigestOutputStream(out, digest);
    }

    /** Adds {@code text} and an end mark, so that "ab", "c" differs from "a", "bc". */
    public void update(String text) {
        digest.update(text.getBytes(StandardCharsets.UTF_8));
        digest.update((byte) 0);
    }

    /** Adds the bytes that remain in {@code bytes}. */
    public void update(ByteBuffer bytes) {
        digest.update(bytes);
    }

    void update(byte[] bytes, int offset, int length) {
        digest.update(bytes, offset, length);
    }

    /** The digest in hexadecimal; starts afresh. */
    public String hex() {
        return HexFormat.of().formatHex(digest.digest());
    }
}
