#[derive(Debug, trunkline::Fault)]
enum JoinError {
    Full,
}

fn main() {}

//~ 2:6 `JoinError` has no message for callers
//~ 2:6 say one of each of its errors, `#[fault("the room is full")]`,
