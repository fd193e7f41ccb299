/**
 * Projects that use dl4j-sr, each in a process of its own, in every way that its class path may be put together: they
 * work, or stop at once and say what to do.
 */
package org.dl4jsr.consumer;
