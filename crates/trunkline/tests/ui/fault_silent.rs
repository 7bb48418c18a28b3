#[derive(Debug, trunkline::Fault)]
enum JoinError {
    Full,
}

fn main() {}
