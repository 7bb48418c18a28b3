#[derive(Debug, trunkline::Fault)]
enum JoinError {
    #[fault("the room is full")]
    Full,
    Closed,
}

fn main() {}
