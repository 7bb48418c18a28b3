#[derive(Debug, trunkline::Fault)]
enum JoinError {
    #[fault("the rooms cannot be read")]
    Store(std::io::Error),
}

fn main() {}
