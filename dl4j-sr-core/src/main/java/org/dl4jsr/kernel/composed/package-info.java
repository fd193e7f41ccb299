/** What is composed of the kernels and products of one processor, whichever it is, and of memory to work in. */
package org.dl4jsr.kernel.composed;
