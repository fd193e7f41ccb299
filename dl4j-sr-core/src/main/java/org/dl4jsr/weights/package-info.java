/**
 * A GPT's weights as other programs read and write them: Hugging Face's folder of a GPT-2, with safetensors files and the
 * tokenizer's, and GGUF. Files are data that need not be trusted: nothing in them is code, no pickle is ever read, and
 * what is wrong with one is said in one line before anything is changed.
 */
package org.dl4jsr.weights;
