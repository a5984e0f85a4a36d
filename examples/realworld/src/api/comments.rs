//! Comments on articles.

use auth_poem::prelude::*;
use poem::Request;
use poem_openapi::{Object, param::Path, payload::Json};

use super::{Created, Deleted, Tag};
use crate::{
    draft::{Check, Draft, Required, Valid},
    errors::{forbidden, not_found},
    model::Comment,
    store::Store,
    user::User,
};

/// The longest comment, in characters.
const LONGEST: usize = 10_000;

/// The operations.
#[derive(Debug)]
pub struct CommentsApi {
    pub(super) store: Store,
}

#[derive(Object)]
struct NewCommentBody {
    comment: NewComment,
}

#[derive(Object)]
struct NewComment {
    body: Required<String>,
}

/// The text of a new comment.
struct CommentDraft(String);

impl Draft for CommentDraft {
    type Body = NewCommentBody;

    fn check(body: NewCommentBody, check: &mut Check) -> Option<Self> {
        check.text("body", body.comment.body, LONGEST).map(Self)
    }
}

#[derive(Object)]
struct CommentBody {
    comment: Comment,
}

#[derive(Object)]
struct CommentsBody {
    comments: Vec<Comment>,
}

#[auth_api(prefix_path = "/articles", tag = "Tag::Comments")]
impl CommentsApi {
    /// The comments on an article, newest first.
    #[rejects(article = 404)]
    #[oai(path = "/:slug/comments", method = "get", operation_id = "GetArticleComments")]
    async fn list(
        &self,
        user: Option<User>,
        slug: Path<String>,
    ) -> auth_poem::Result<Json<CommentsBody>> {
        let viewer = user.as_ref().map(|user| user.account.as_str());
        let comments = self.store.comments(viewer, &slug).await?;
        if comments.is_empty() && self.store.author_of_article(&slug).await?.is_none() {
            return Err(not_found("article").into());
        }
        Ok(Json(CommentsBody { comments }))
    }

    /// Comments on an article.
    #[rejects(article = 404)]
    #[oai(path = "/:slug/comments", method = "post", operation_id = "CreateArticleComment")]
    async fn create(
        &self,
        user: User,
        slug: Path<String>,
        draft: Valid<CommentDraft>,
    ) -> auth_poem::Result<Created<CommentBody>> {
        let comment = self.store.create_comment(&user.account, &slug, &draft.0.0).await?;
        let comment = comment.ok_or_else(|| not_found("article"))?;
        Ok(Created::Made(Json(CommentBody { comment })))
    }

    /// Deletes one's own comment.
    #[require(check = Self::is_author)]
    #[rejects(article = 404, comment = 404)]
    #[oai(path = "/:slug/comments/:id", method = "delete", operation_id = "DeleteArticleComment")]
    async fn delete(
        &self,
        user: User,
        slug: Path<String>,
        id: Path<i64>,
    ) -> auth_poem::Result<Deleted> {
        // Somebody may have been faster, the check notwithstanding.
        match self.store.delete_comment(&user.account, &slug, id.0).await? {
            true => Ok(Deleted::Done),
            false => Err(not_found("comment").into()),
        }
    }
}

impl CommentsApi {
    /// Whether the comment that the path names is the user's.
    async fn is_author(&self, user: &User, request: &Request) -> auth_poem::Result<bool> {
        let slug = request.path_param("slug")?;
        if self.store.author_of_article(slug).await?.is_none() {
            return Err(not_found("article").into());
        }
        let id = request.path_param("id")?.parse().map_err(|_| not_found("comment"))?;
        let author = self.store.author_of_comment(slug, id).await?;
        if author.ok_or_else(|| not_found("comment"))? == user.account {
            return Ok(true);
        }
        Err(forbidden("comment").into())
    }
}
