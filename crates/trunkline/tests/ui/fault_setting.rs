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

//~ 3:33 a fault has no setting `cod`: did you mean `code`?
//~ 13:31 there is no kind `Forbiden`: did you mean `Forbidden`?
