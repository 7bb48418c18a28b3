#[derive(Debug, trunkline::Fault)]
enum Unheard {
    #[fault("stays at home", internal, code = 1)]
    Internal,
}

#[derive(Debug, trunkline::Fault)]
enum Twice {
    #[fault("once", name = "one", name = "two")]
    Name,
}

#[derive(Debug, trunkline::Fault)]
enum Messages {
    #[fault("once")]
    #[fault("twice")]
    Message,
}

#[derive(Debug, trunkline::Fault)]
#[fault("for all")]
enum Whose {
    #[fault("for one")]
    One,
}

#[derive(Debug, trunkline::Fault)]
enum Elsewhere {
    #[fault("for one", crate = "rpc")]
    One,
}

fn main() {}

//~ 3:40 `internal` and `code` do not go together: callers hear "Internal error", and no more
//~ 9:35 `name` is said twice: drop one of them
//~ 16:13 the message is said twice: drop one of them
//~ 21:9 each of the errors has its own message: say it of the variants
//~ 29:24 a fault has no setting `crate`: there are code, name, kind, internal
