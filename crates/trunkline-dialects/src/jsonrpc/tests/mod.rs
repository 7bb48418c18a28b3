//! Tests of the message library as a whole: the shared vectors, properties, and
//! what the vectors leave open.

mod building;
mod grammar;
mod hostile;
mod parse;
mod properties;
mod rules;
mod vectors;
