package sallyport

import (
	"context"
	"fmt"

	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/endpoint"
	"sallyport/internal/login"
	"sallyport/internal/store"
)

// ListMyNotices lists what the caller was told of their account, newest first.
func (*Service) ListMyNotices(_ context.Context, c *endpoint.Call, in *api.ListMyNoticesRequest) (*api.ListMyNoticesResponse, error) {
	q, err := c.Page(in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	rows, next, err := c.Tx.Notices(c.Caller.UserID, q)
	if err != nil {
		return nil, fmt.Errorf("list notices: %w", err)
	}
	return &api.ListMyNoticesResponse{Notices: mapped(rows, noticeOut), NextToken: c.NextToken(next)}, nil
}

func noticeOut(n store.Notice) api.Notice {
	return api.Notice{
		NoticeId: n.ID, Kind: api.NoticeKind(n.Kind), Detail: n.Detail, IpAddress: n.IP, CreatedAt: n.CreatedAt, Disowned: !n.DisownedAt.IsZero(),
	}
}

// DisownNotice says that it was not the caller who did what a notice tells of. Everything of theirs ends.
func (s *Service) DisownNotice(_ context.Context, c *endpoint.Call, in *api.DisownNoticeRequest) (*api.DisownNoticeResponse, error) {
	return &api.DisownNoticeResponse{}, s.Login.Disown(c.Tx, c.Caller.UserID, in.NoticeId, login.Browser{Origin: origin(c)})
}
