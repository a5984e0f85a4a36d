//! Every story once more, on PostgreSQL.

use crate::{
    articles, attacks, bodies, comments, conduit::Conduit, lists, ownership, profiles, tokens,
    users,
};

#[test]
#[allow(clippy::print_stdout, reason = "shown where a story fails: which one")]
fn keeps_the_contract_on_postgresql() {
    let stories = [
        users::STORIES,
        profiles::STORIES,
        articles::STORIES,
        lists::STORIES,
        comments::STORIES,
        ownership::STORIES,
        bodies::STORIES,
        attacks::STORIES,
        tokens::STORIES,
    ];
    for (name, story) in stories.concat() {
        let Some(conduit) = Conduit::on_postgres() else { return };
        println!("{name}");
        story(&conduit);
    }
}
