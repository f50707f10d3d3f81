// Dumps, from Thanos' own code, which member holds each copy of a series: the vectors that model/ring/ketama.ts is tested against.
// How to run it stands in ../README.md.
package main

import (
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
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

func main() {
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
