// Dumps, from Thanos' own code, which member holds each copy of a series, and, with the argument "shards", which members a tenant has of a
// ring that is shuffle sharded, and which tenants a pattern takes: the vectors that model/ring and model/values/glob.ts are tested against.
// How to run it stands in ../README.md.
package main

import (
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/thanos-io/thanos/pkg/receive"
	"github.com/thanos-io/thanos/pkg/store/labelpb"
	"github.com/thanos-io/thanos/pkg/store/storepb/prompb"
)

type member struct {
	Address string `json:"address"`
	Zone    string `json:"zone,omitempty"`
}

type series struct {
	Tenant string      `json:"tenant"`
	Labels [][2]string `json:"labels"`
	Hash   string      `json:"hash"`
}

type ring struct {
	Name              string   `json:"name"`
	ReplicationFactor uint64   `json:"replicationFactor"`
	Members           []member `json:"members"`
	// One word per series, in the order of Series: a digit (the member's index) per copy, in the order of GetN.
	Replicas string `json:"replicas"`
}

type vectors struct {
	Thanos string   `json:"thanos"`
	Series []series `json:"series"`
	Rings  []ring   `json:"rings"`
}

func randomSeries(r *rand.Rand) []series {
	tenants := []string{"default-tenant", "team-a", "", "租户"}
	names := []string{"up", "http_requests_total", "node_cpu_seconds_total", "container_memory_working_set_bytes"}
	out := []series{
		{Tenant: "default-tenant", Labels: [][2]string{}},
		{Tenant: "default-tenant", Labels: [][2]string{{"__name__", "up"}}},
		{Tenant: "default-tenant", Labels: [][2]string{{"__name__", "up"}, {"city", "北京"}, {"name", "Zürich \U0001F600"}}},
		{Tenant: "default-tenant", Labels: [][2]string{{"__name__", "long"}, {"text", strings.Repeat("long ", 300)}, {"z", "after"}}},
	}
	for n := 0; n < 296; n++ {
		labels := [][2]string{{"__name__", names[r.Intn(len(names))]}}
		for k := 0; k < r.Intn(4); k++ {
			labels = append(labels, [2]string{fmt.Sprintf("l%d", k), strings.Repeat("v", r.Intn(12)) + fmt.Sprint(r.Intn(1000))})
		}
		labels = append(labels, [2]string{"pod", fmt.Sprintf("pod-%d", n)})
		out = append(out, series{Tenant: tenants[r.Intn(len(tenants))], Labels: labels})
	}
	return out
}

func members(zones ...string) []member {
	out := make([]member, len(zones))
	for i, zone := range zones {
		out[i] = member{fmt.Sprintf("thanos-receive-%d.thanos-receive.monitoring.svc.cluster.local:10901", i), zone}
	}
	return out
}

type shardVectors struct {
	Thanos  string         `json:"thanos"`
	Tenants []string       `json:"tenants"`
	Rings   []shardedRing  `json:"rings"`
	Globs   []patternMatch `json:"globs"`
}

type shardedRing struct {
	Name              string                        `json:"name"`
	ReplicationFactor uint64                        `json:"replicationFactor"`
	Members           []member                      `json:"members"`
	Config            receive.ShuffleShardingConfig `json:"config"`
	// One word per tenant, in the order of Tenants: for each of 40 series (the label n from 0) a member's index, in base 36, per copy.
	Replicas []string `json:"replicas"`
}

type patternMatch struct {
	Pattern string   `json:"pattern"`
	Matches []string `json:"matches"`
	Others  []string `json:"others"`
}

func hashringOf(ms []member, tenants []string, matcher string, shards receive.ShuffleShardingConfig, replicationFactor uint64) (receive.Hashring, map[string]int) {
	cfg := receive.HashringConfig{Hashring: "default", Tenants: tenants, ShuffleShardingConfig: shards}
	if matcher == "glob" {
		cfg.TenantMatcherType = receive.TenantMatcherGlob
	}
	index := map[string]int{}
	for i, m := range ms {
		cfg.Endpoints = append(cfg.Endpoints, receive.Endpoint{Address: m.Address, AZ: m.Zone})
		index[m.Address] = i
	}
	hashring, err := receive.NewMultiHashring(receive.AlgorithmKetama, replicationFactor, []receive.HashringConfig{cfg}, prometheus.NewRegistry())
	if err != nil {
		panic(err)
	}
	return hashring, index
}

func dumpShards() {
	v := shardVectors{Thanos: "v0.42.4"}
	for n := 0; n < 20; n++ {
		v.Tenants = append(v.Tenants, fmt.Sprintf("tenant-%d", n))
	}
	v.Tenants = append(v.Tenants, "a", "default-tenant", "Team.A_1")
	nine := members("a", "b", "c", "a", "b", "c", "a", "b", "c")
	ten := members("", "", "", "", "", "", "", "", "", "")
	for _, r := range []shardedRing{
		{Name: "10 members, shards of 3", ReplicationFactor: 3, Members: ten, Config: receive.ShuffleShardingConfig{ShardSize: 3}},
		{Name: "10 members, shards of 5", ReplicationFactor: 3, Members: ten, Config: receive.ShuffleShardingConfig{ShardSize: 5}},
		{Name: "10 members, shards of 10", ReplicationFactor: 3, Members: ten, Config: receive.ShuffleShardingConfig{ShardSize: 10}},
		{Name: "10 members, shards of 1", ReplicationFactor: 1, Members: ten, Config: receive.ShuffleShardingConfig{ShardSize: 1}},
		{Name: "9 members in zones 3/3/3, shards of 3", ReplicationFactor: 3, Members: nine, Config: receive.ShuffleShardingConfig{ShardSize: 3}},
		{Name: "9 members in zones 3/3/3, shards of 6", ReplicationFactor: 3, Members: nine, Config: receive.ShuffleShardingConfig{ShardSize: 6}},
		{Name: "9 members in zones 3/3/3, shards of 4 whatever the zone", ReplicationFactor: 3, Members: nine, Config: receive.ShuffleShardingConfig{ShardSize: 4, ZoneAwarenessDisabled: true}},
		{Name: "9 members in zones 3/3/3, shards of 3, of 6 and of 9 for some", ReplicationFactor: 3, Members: nine, Config: receive.ShuffleShardingConfig{ShardSize: 3, Overrides: []receive.ShuffleShardingOverrideConfig{
			{ShardSize: 6, Tenants: []string{"tenant-1?"}, TenantMatcherType: receive.TenantMatcherGlob},
			{ShardSize: 9, Tenants: []string{"tenant-2", "tenant-11"}, TenantMatcherType: receive.TenantMatcherTypeExact},
		}}},
	} {
		hashring, index := hashringOf(r.Members, nil, "", r.Config, r.ReplicationFactor)
		for _, tenant := range v.Tenants {
			var word strings.Builder
			for n := 0; n < 40; n++ {
				ts := &prompb.TimeSeries{Labels: []labelpb.ZLabel{{Name: "n", Value: fmt.Sprint(n)}}}
				for copy := uint64(0); copy < r.ReplicationFactor; copy++ {
					e, err := hashring.GetN(tenant, ts, copy)
					if err != nil {
						panic(err)
					}
					word.WriteByte("0123456789abcdefghijklmnopqrstuvwxyz"[index[e.Address]])
				}
			}
			r.Replicas = append(r.Replicas, word.String())
		}
		v.Rings = append(v.Rings, r)
	}
	names := []string{"a", "b", "ab", "abc", "a-1", "a-12", "a-x", "a.b", "a_b", "b-1", "team-a", "team-b", "team-10", "team-", "team", "teams-1", "A-1", "a--", "0", "07", ".", "..", ".a"}
	for _, pattern := range []string{"a", "team-*", "team-?", "t*-*", "a*", "a-[0-9]", "a-[0-9]*", "a-[0-9x]", "[ab]", "a?b", "a.?", "a[._]b", "*", "?", "[^.]*", "team-[a-b]", "0*7", "a**b", "A-[1-1]"} {
		p := patternMatch{Pattern: pattern, Matches: []string{}, Others: []string{}}
		hashring, _ := hashringOf(members("", "", ""), []string{pattern}, "glob", receive.ShuffleShardingConfig{}, 1)
		for _, name := range names {
			matched, err := filepath.Match(pattern, name)
			if err != nil {
				panic(err)
			}
			if _, err := hashring.GetN(name, &prompb.TimeSeries{}, 0); (err == nil) != matched {
				panic(fmt.Sprintf("%s and %s: %v", pattern, name, err))
			}
			if matched {
				p.Matches = append(p.Matches, name)
			} else {
				p.Others = append(p.Others, name)
			}
		}
		v.Globs = append(v.Globs, p)
	}
	if err := json.NewEncoder(os.Stdout).Encode(v); err != nil {
		panic(err)
	}
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "shards" {
		dumpShards()
		return
	}
	v := vectors{Thanos: "v0.42.4", Series: randomSeries(rand.New(rand.NewSource(1)))}
	timeSeries := make([]*prompb.TimeSeries, len(v.Series))
	for i, s := range v.Series {
		ts := &prompb.TimeSeries{}
		for _, l := range s.Labels {
			ts.Labels = append(ts.Labels, labelpb.ZLabel{Name: l[0], Value: l[1]})
		}
		timeSeries[i] = ts
		v.Series[i].Hash = fmt.Sprint(labelpb.HashWithPrefix(s.Tenant, ts.Labels))
	}
	three, five, six := members("", "", ""), members("", "", "", "", ""), members("a", "b", "c", "a", "b", "c")
	for _, r := range []ring{
		{Name: "1 member", ReplicationFactor: 1, Members: members("")},
		{Name: "3 members", ReplicationFactor: 1, Members: three},
		{Name: "3 members", ReplicationFactor: 2, Members: three},
		{Name: "3 members", ReplicationFactor: 3, Members: three},
		{Name: "5 members", ReplicationFactor: 2, Members: five},
		{Name: "5 members", ReplicationFactor: 3, Members: five},
		{Name: "5 members", ReplicationFactor: 5, Members: five},
		{Name: "6 members in zones 2/2/2", ReplicationFactor: 2, Members: six},
		{Name: "6 members in zones 2/2/2", ReplicationFactor: 3, Members: six},
		{Name: "6 members in zones 2/2/2", ReplicationFactor: 5, Members: six},
		{Name: "5 members in zones 2/2/1", ReplicationFactor: 3, Members: members("a", "b", "c", "a", "b")},
		{Name: "5 members in zones 2/2/1, one zone unnamed", ReplicationFactor: 3, Members: members("a", "b", "", "a", "b")},
		{Name: "4 members in zones 3/1", ReplicationFactor: 3, Members: members("a", "a", "a", "b")},
	} {
		cfg := receive.HashringConfig{Hashring: "default"}
		index := map[string]int{}
		for i, m := range r.Members {
			cfg.Endpoints = append(cfg.Endpoints, receive.Endpoint{Address: m.Address, AZ: m.Zone})
			index[m.Address] = i
		}
		hashring, err := receive.NewMultiHashring(receive.AlgorithmKetama, r.ReplicationFactor, []receive.HashringConfig{cfg}, prometheus.NewRegistry())
		if err != nil {
			panic(err)
		}
		var replicas strings.Builder
		for i, ts := range timeSeries {
			if i > 0 {
				replicas.WriteByte(' ')
			}
			for n := uint64(0); n < r.ReplicationFactor; n++ {
				e, err := hashring.GetN(v.Series[i].Tenant, ts, n)
				if err != nil {
					panic(err)
				}
				fmt.Fprint(&replicas, index[e.Address])
			}
		}
		r.Replicas = replicas.String()
		v.Rings = append(v.Rings, r)
	}
	if err := json.NewEncoder(os.Stdout).Encode(v); err != nil {
		panic(err)
	}
}
