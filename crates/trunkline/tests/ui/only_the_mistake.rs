use trunkline::Context;

#[trunkline::service]
pub trait Math {
    #[procedure(idempotant)]
    async fn add(
        &self,
        #[extract] context: Context,
        /// The first one.
        #[arg(default = 2)]
        a: i64,
        (b, c): (i64, i64),
    ) -> i64;
}

struct MyMath;

impl Math for MyMath {
    async fn add(&self, _: Context, a: i64, (b, c): (i64, i64)) -> i64 {
        a + b + c
    }
}

fn main() {}

//~ 5:17 a procedure has no setting `idempotant`: did you mean `idempotent`?
