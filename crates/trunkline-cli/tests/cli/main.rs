//! The `trunkline` command as its users meet it: arguments in, output and exit codes out.

mod bench;
mod call;
mod demo;
mod help;
mod listen;
mod program;
mod stranger;
