#[derive(Debug, trunkline::Fault)]
enum JoinError {
    #[fault("the rooms cannot be read")]
    Store(std::io::Error),
}

fn main() {}

//~ 4:11 `std::io::Error` cannot be told to callers
//~ 4:11 an error that is none of the callers' business is marked: `#[fault(internal)]`
