/** Text: where it comes from, its tokens, and batches of them. */
package org.dl4jsr.examples.data;
