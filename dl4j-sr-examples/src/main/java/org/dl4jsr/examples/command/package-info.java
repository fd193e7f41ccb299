/** The commands: options, checked and handed on to what does the work. */
package org.dl4jsr.examples.command;
