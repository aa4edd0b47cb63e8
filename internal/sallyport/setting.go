package sallyport

import (
	"context"

	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/endpoint"
	"sallyport/internal/setting"
)

// ListSettings lists every setting, by name.
func (*Service) ListSettings(_ context.Context, c *endpoint.Call, in *api.ListSettingsRequest) (*api.ListSettingsResponse, error) {
	q, err := c.Page(in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	all, err := setting.List(c.Tx)
	if err != nil {
		return nil, err
	}
	rows, next := paged(all, q, func(s setting.Setting) string { return s.Name })
	return &api.ListSettingsResponse{Settings: mapped(rows, settingOut), NextToken: c.NextToken(next)}, nil
}

// GetSetting is one setting.
func (*Service) GetSetting(_ context.Context, c *endpoint.Call, in *api.GetSettingRequest) (*api.GetSettingResponse, error) {
	v, err := setting.Get(c.Tx, in.Name)
	return &api.GetSettingResponse{Setting: settingOut(v)}, err
}

// PutSetting changes a setting.
func (*Service) PutSetting(_ context.Context, c *endpoint.Call, in *api.PutSettingRequest) (*api.PutSettingResponse, error) {
	old, err := setting.Get(c.Tx, in.Name)
	if err != nil {
		return nil, err
	}
	v, err := setting.Put(c.Tx, in.Name, in.Value, c.Caller.ARN)
	tellChange(c, old, v)
	return &api.PutSettingResponse{Setting: settingOut(v)}, err
}

// ResetSetting puts a setting back to its default.
func (*Service) ResetSetting(_ context.Context, c *endpoint.Call, in *api.ResetSettingRequest) (*api.ResetSettingResponse, error) {
	old, err := setting.Get(c.Tx, in.Name)
	if err != nil {
		return nil, err
	}
	v, err := setting.Reset(c.Tx, in.Name)
	tellChange(c, old, v)
	return &api.ResetSettingResponse{Setting: settingOut(v)}, err
}

// tellChange has the event say what a setting was before, by which readers of the log see whether less is demanded now.
func tellChange(c *endpoint.Call, old, now setting.Setting) {
	c.Event.AdditionalEventData = map[string]any{"previousValue": old.Value, "newValue": now.Value}
}

func settingOut(v setting.Setting) api.Setting {
	return api.Setting{
		Name: v.Name, Value: v.Value, DefaultValue: v.Default, AwsValue: v.AWS, Description: v.Description, Values: v.Words,
		UpdatedAt: when(v.UpdatedAt), UpdatedBy: optional(v.UpdatedBy),
	}
}
