//! What is heard and said, message by message.

mod hearing;
