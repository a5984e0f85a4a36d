//! A role is its name, both ways.

use auth_poem::{prelude::*, user::AuthRole as _};

#[derive(AuthRole, Debug, PartialEq)]
enum Role {
    SuperAdmin,
    #[role(name = "ed", permissions("posts:write"))]
    Editor,
}

fn main() {
    assert_eq!(Role::NAMES, ["super_admin", "ed"]);
    assert_eq!(Role::SuperAdmin.to_string(), "super_admin");
    assert_eq!("ed".parse::<Role>().ok(), Some(Role::Editor));
    assert!("Editor".parse::<Role>().is_err());
    assert_eq!(Role::Editor.permissions(), ["posts:write"]);
    assert!(Role::SuperAdmin.permissions().is_empty());
}
