#[derive(Debug, trunkline::Fault)]
enum JoinError {
    #[fault("the room is full")]
    Full,
    Closed,
}

fn main() {}

//~ 5:5 this one has no message: say one in `#[fault("…")]` here too, or nowhere, and implement `Display` (thiserror does)
