//! The therms protocol (2.19 line): so far what it does to arguments, [`args`].

pub mod args;
