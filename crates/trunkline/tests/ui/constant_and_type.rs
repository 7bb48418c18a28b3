#[trunkline::service]
trait Math {
    const ZERO: i64;
    type Number;

    async fn add(&self, a: i64, b: i64) -> i64;
}

fn main() {}

//~ 3:5 a contract is made of methods: make the constant an item beside the trait
//~ 4:5 a contract is made of methods: write the concrete type in place of an associated one
