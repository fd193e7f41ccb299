/**
 * The kernels in plain Java, on any platform: the oracle that every other implementation is tested against, and what
 * runs where a user asks for it or the jar was built without native kernels.
 */
package org.dl4jsr.kernel.reference;
