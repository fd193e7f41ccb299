/** What all others share: files that are whole or not there, checksums, JSON, text without a locale, bad input. */
package org.dl4jsr.examples.io;
