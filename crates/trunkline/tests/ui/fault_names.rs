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

//~ 6:5 two errors are called `Full`: give one another name, `#[fault(name = "…")]`
//~ 11:11 what callers are told has one type: use concrete types in place of generics
