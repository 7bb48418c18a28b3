#[derive(Debug, trunkline::Fault)]
enum JoinError {
    #[fault("the room is full")]
    Full,
    #[fault("the house is full", name = "Full")]
    House,
}

#[derive(Debug, trunkline::Fault)]
#[fault("no {0}")]
struct No<T>(T);

fn main() {}
