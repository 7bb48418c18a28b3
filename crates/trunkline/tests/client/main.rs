//! The client against real servers, scripted ones, and none at all.

mod calls;
mod closing;
mod connecting;
mod reconnecting;
mod scripted;
mod stdio;
mod support;
