#[derive(Debug, trunkline::Fault)]
enum JoinError {
    #[fault("the room is full", cod = 4001)]
    Full,
    #[fault("not you", kind = Forbiden)]
    Unwelcome,
    #[fault]
    Closed,
}

#[derive(Debug, trunkline::Fault)]
enum LeaveError {
    #[fault("not you", kind = Forbiden)]
    Unwelcome,
}

fn main() {}
