package config

import (
	"slices"
	"strings"
	"testing"
)

func TestWhoElseMaySignPolicies(t *testing.T) {
	const key = "ed25519:gTl3Dqh9F19Wo1Rmw0x+zMuNipG07jeiXfYPW4/Js5Q="
	for rule, tt := range map[string]struct {
		line, says string
		want       []string
	}{
		"left out":            {"", "", nil},
		"one key":             {`policy_signers = ["` + key + `"]`, "", []string{key}},
		"what is no key":      {`policy_signers = ["` + key[:40] + `"]`, "policy_signers: \"" + key[:40] + "\" is not a public key", nil},
		"a key and no list":   {`policy_signers = "` + key + `"`, "policy_signers", nil},
		"a list of nothing":   {`policy_signers = []`, "a list of 0", nil},
		"the word misspelt":   {`policy_signer = ["` + key + `"]`, "policy_signers", nil},
		"too many to oversee": {`policy_signers = ["` + strings.Repeat(key+`", "`, 16) + key + `"]`, "a list of 17", nil},
	} {
		d, err := ParseDistrict(File{Name: "districtd.toml", Source: []byte("name = \"yucai\"\n" + tt.line + "\n")})
		switch {
		case tt.says != "":
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%s: got %v", rule, err)
			}
		case err != nil || !slices.Equal(d.PolicySigners, tt.want):
			t.Errorf("%s: got %v, %v", rule, d, err)
		}
	}
}
